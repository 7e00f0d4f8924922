"""All AMQP: pika publishes, kombu consumes, and the topology both stand on."""
