"""One sample of every canonical message: what receivers build their tests on. All of it is invented."""

from __future__ import annotations

from datetime import UTC, datetime

from router.limits import Frozen
from router.message import (
    Acceptance,
    Accepted,
    Appeal,
    Attachment,
    Batch,
    Contact,
    Decision,
    Dispatch,
    Enterprise,
    Envelope,
    Match,
    PassedOver,
    Receipt,
    Task,
)

APPEAL_ID = "019cad2f-3c00-7000-8000-000000000001"
TASK_ID = "019cad2f-3c00-7000-8000-000000000002"
DISPATCH_ID = "019cad2f-3c00-7000-8000-000000000003"
SUBMITTED = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
RECEIVED = datetime(2026, 3, 2, 1, 16, 4, tzinfo=UTC)
DUE = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)

ATTACHMENT = Attachment(name="工资清单.pdf", media_type="application/pdf", size=48213, sha256="9f" * 32)
ENVELOPE = Envelope(
    source="example",
    source_id="EX-0001",
    body='{"orderNo":"EX-0001","subject":"反映某公司拖欠工资"}'.encode(),
    updated_at=SUBMITTED,
    received_at=RECEIVED,
    delivery_id="msg_0001",
    attachments=(ATTACHMENT,),
)
BATCH = Batch(source="example", envelopes=(ENVELOPE,), cursor={"updated": "2026-03-02 09:15:00"})
APPEAL = Appeal(
    appeal_id=APPEAL_ID,
    source="example",
    source_id="EX-0001",
    revision=1,
    channel="示例系统",
    kind="complaint",
    title="反映某公司拖欠工资",
    content="公司两个月没有发工资，员工多次询问没有结果，请协调。",
    category=("劳动和社会保障", "工资福利", "拖欠工资"),
    enterprise=Enterprise(name="示例电子有限公司"),
    contact=Contact(name="王先生", phones=("+8613800001234",)),
    region="320506",
    address="吴中区示例路1号",
    submitted_at=SUBMITTED,
    received_at=RECEIVED,
    attachments=(ATTACHMENT,),
    proposed_units=("rsj",),
    extensions={"order_no": "EX-0001"},
)
TASK = Task(task_id=TASK_ID, unit="rsj", role="lead", sequence=1, created_at=RECEIVED, due_at=DUE)
DISPATCH = Dispatch(dispatch_id=DISPATCH_ID, type="task.created", destination="rsj", task=TASK, appeal=APPEAL)
DECISION = Decision(
    rule="proposed",
    lead="rsj",
    matched=(Match(condition="proposed_units present", saw="rsj"),),
    passed_over=(
        PassedOver(rule="closed-to-archive", failed=Match(condition="standing equals closed", saw="open")),
    ),
    facts={"unit": "rsj", "unit_score": 3},
)
ACCEPTANCE = Acceptance(
    items=(Accepted(source_id="EX-0001", appeal_id=APPEAL_ID, revision=1, outcome="new"),)
)
RECEIPT = Receipt(dispatch_id=DISPATCH_ID, foreign_id="RSJ-2026-0042", at=RECEIVED)

SAMPLES: tuple[Frozen, ...] = (
    BATCH,
    ENVELOPE,
    APPEAL,
    TASK,
    DISPATCH,
    DECISION,
    ACCEPTANCE,
    RECEIPT,
)
