-- Ideas for a process that we offer a partner or answer, each change of status once.
-- grain: idea_id, status_no
-- reads: source_process_idea, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_process_idea),

asked as (select * from run)

select
    source.idea_id,
    source.status_no,
    source.about,
    source.item_id,
    source.site_id,
    source.title,
    source.text,
    source.expected_saving,
    source.currency,
    source.attachment_refs,
    source.status,
    source.offered_on,
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
        partition by source.idea_id, source.status_no
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.idea_id is null
    or source.status_no is null
order by source.idea_id, source.status_no, source.recorded_at
