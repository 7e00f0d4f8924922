DELIVER = "suqiu.deliver"
