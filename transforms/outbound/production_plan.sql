-- What we mean to make for a partner, and could: of each key, what we said last.
-- grain: item_id, site_id, period_start
-- reads: source_production_plan, run
-- range: recorded_at <= run.as_of, period_start from run.period_start on; a period_start that
--        cannot be read is kept, to be refused with its reason, as is a row without its whole key
with
source as (select * from source_production_plan),

asked as (select * from run)

select
    source.item_id,
    source.site_id,
    source.period_start,
    source.planned_quantity,
    source.capacity_quantity,
    source.maximum_quantity,
    source.unit,
    source.supplier_item_id,
    source.note
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) <= asked.as_of
        and coalesce(try_cast(source.period_start as date), date 'infinity')
        >= cast(asked.period_start as date)
qualify
    rank() over (
        partition by source.item_id, source.site_id, source.period_start
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.item_id is null
    or source.site_id is null
    or source.period_start is null
order by source.item_id, source.site_id, source.period_start, source.recorded_at
