//! The elements of a task (TaskType in Types.xsd, [MS-OXOTASK] 2.2.2).

use super::fields::{Fields, texts};
use super::node::Node;
use super::recurrence::recurrence;
use crate::mapi::recurrence::RecurrencePattern;
use crate::mapi::{Code, Value, Warning, lid};

/// PidLidTaskStatus.
const STATUS: [&str; 5] = ["NotStarted", "InProgress", "Completed", "WaitingOnOthers", "Deferred"];
const COMPLETED: i32 = 2;

/// The elements, in the order of the schema.
pub(super) fn elements(item: &Fields<'_>, warnings: &mut Vec<Warning>) -> Vec<Node> {
    let moment = |name, lid| item.moment(lid).map(|t| Node::text(name, t));
    let number = |name, lid| item.number(lid).map(|n| Node::text(name, n.to_string()));
    let status = item.number(lid::TASK_STATUS);
    let done = status == Some(COMPLETED) || item.is(lid::TASK_COMPLETE);
    let percent = match item.lid(lid::PERCENT_COMPLETE) {
        Some(Value::F64(part)) if part.is_finite() => Some((part * 100.0).clamp(0.0, 100.0)),
        _ => None,
    };
    let series = item.bytes(lid::TASK_RECURRENCE).and_then(RecurrencePattern::decode);
    let again = series.as_ref().and_then(recurrence);
    if series.is_some() && again.is_none() {
        warnings.push(Code::Calendar.with("the task does not come again, as the server has no words for its series"));
    }
    item.hide(&[], &[lid::TASK_COMPLETE, lid::TASK_RECURRING, lid::COMMON_START, lid::COMMON_END]);
    let status = status.and_then(|n| STATUS.get(usize::try_from(n).ok()?));
    let all = [
        number("t:ActualWork", lid::TASK_ACTUAL_EFFORT),
        item.text_of(lid::BILLING).map(|t| Node::text("t:BillingInformation", t)),
        Node::strings("t:Companies", texts(item.lid(lid::COMPANIES))),
        moment("t:CompleteDate", lid::TASK_DATE_COMPLETED).filter(|_| done),
        Node::strings("t:Contacts", texts(item.lid(lid::CONTACTS))),
        moment("t:DueDate", lid::TASK_DUE_DATE),
        item.text_of(lid::MILEAGE).map(|t| Node::text("t:Mileage", t)),
        percent.map(|p| Node::text("t:PercentComplete", p.to_string())),
        again,
        moment("t:StartDate", lid::TASK_START_DATE),
        status.map(|name| Node::text("t:Status", *name)),
        number("t:TotalWork", lid::TASK_ESTIMATED_EFFORT),
    ];
    all.into_iter().flatten().collect()
}
