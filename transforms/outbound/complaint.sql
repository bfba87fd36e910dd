-- Complaints between a partner and us, each change of status once.
-- grain: complaint_id, status_no
-- reads: source_complaint, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_complaint),

asked as (select * from run)

select
    source.complaint_id,
    source.status_no,
    source.subject_ref,
    source.item_id,
    source.category,
    source.severity,
    source.text,
    source.status,
    source.raised_on,
    source.answered_on,
    source.answer
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.complaint_id, source.status_no
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.complaint_id is null
    or source.status_no is null
order by source.complaint_id, source.status_no, source.recorded_at
