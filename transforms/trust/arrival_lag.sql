-- How long before or after its cut-off a partner's shipments arrive, in hours; early is negative.
-- grain: partner, direction, kind
-- reads: run, stg_shipment
-- range: shipments of the last 52 weeks that had a cut-off; kind '' is all of them together
with
asked as (select as_of from run),

lagged as (
    select
        stg_shipment.partner,
        stg_shipment.direction,
        stg_shipment.kind,
        stg_shipment.is_late,
        date_diff('second', stg_shipment.cut_off_at, stg_shipment.arrived_at) / 3600 as hours
    from stg_shipment
    cross join asked
    where
        stg_shipment.cut_off_at is not null
        and stg_shipment.arrived_at > asked.as_of - interval 364 day
)

select
    partner,
    direction,
    coalesce(kind, '') as kind,
    count(*) as shipments,
    count(*) filter (where is_late) as late,
    median(hours) as median_hours
from lagged
group by grouping sets ((partner, direction, kind), (partner, direction))
order by partner, direction, kind
