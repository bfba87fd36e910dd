-- Stock of a day, each statement once.
-- grain: item_id, site_id, as_of, direction, blocked
-- reads: source_inventory, run
-- range: run.since <= recorded_at < run.as_of; of a key that changed twice the last; one without its
--        whole key is kept, to be refused with its reason
with
source as (select * from source_inventory),

asked as (select * from run)

select
    source.item_id,
    source.site_id,
    source.as_of,
    source.direction,
    source.blocked,
    source.quantity,
    source.days_of_supply,
    source.minimum_quantity,
    source.maximum_quantity,
    source.unit,
    source.owner,
    source.supplier_item_id
from source
inner join asked
    on
        source.partner = asked.partner
        and cast(source.recorded_at as timestamptz) >= asked.since
        and cast(source.recorded_at as timestamptz) < asked.as_of
qualify
    rank() over (
        partition by
            source.item_id, source.site_id, source.as_of, source.direction, source.blocked
        order by cast(source.recorded_at as timestamptz) desc
    ) = 1
    or source.item_id is null
    or source.site_id is null
    or source.as_of is null
    or source.direction is null
    or source.blocked is null
order by
    source.item_id, source.site_id, source.as_of, source.direction, source.blocked,
    source.recorded_at
