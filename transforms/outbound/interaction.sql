-- Meetings with a partner as we recorded them, each record once.
-- grain: interaction_id
-- reads: source_interaction, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_interaction),

asked as (select * from run)

select
    source.interaction_id,
    source.held_on,
    source.minutes,
    source.people,
    source.people_theirs,
    source.channel,
    source.purpose,
    source.site_id,
    source.subject_ref,
    source.note
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.interaction_id
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.interaction_id is null
order by source.interaction_id, source.recorded_at
