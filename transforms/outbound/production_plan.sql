-- What we plan to make and could make, each change once.
-- grain: item_id, site_id, period_start
-- reads: source_production_plan, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_production_plan),

asked as (select * from run)

select
    source.item_id,
    source.site_id,
    source.period_start,
    source.planned_quantity,
    source.capacity_quantity,
    source.unit,
    source.constraint_text,
    source.note
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by source.item_id, source.site_id, source.period_start
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.item_id is null
    or source.site_id is null
    or source.period_start is null
order by source.item_id, source.site_id, source.period_start, source.recorded_at
