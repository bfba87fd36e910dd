-- Notices of what keeps us from delivering or ordering, each change once.
-- grain: notice_id, status_no
-- reads: source_disruption, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_disruption),

asked as (select * from run)

select
    source.notice_id,
    source.status_no,
    source.cause,
    source.effect,
    source.items,
    source.site_id,
    source.start,
    source.expected_end,
    source.status,
    source.text,
    source.source_notice_id
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.notice_id, source.status_no
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.notice_id is null
    or source.status_no is null
order by source.notice_id, source.status_no, source.recorded_at
