-- What services cost, planned and actual, every vintage: the partner's word, and our own record.
-- grain: partner, direction, is_own, agreement_id, item_id, service, period_start, arrived_at, known_at,
--        shipment_id
-- reads: landed.service_cost, own.service_cost, run, stg_shipment
-- range: known_at <= run.as_of is when it was here; arrived_at the same, and without end for what came
--        after its shipment's cut-off, which counts for nothing as a plan. Once we record what a
--        partner's services cost us, its word on that is not taken
with
asked as (select as_of from run),

known as (
    select
        *,
        false as is_own
    from landed.service_cost
    union all by name
    select
        *,
        true as is_own
    from own.service_cost
),

recording as (
    select
        partner,
        min(arrived_at) as recorded_from
    from own.service_cost
    where actual_cost is not null
    group by partner
),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
)

select
    known.partner,
    'in' as direction,
    known.is_own,
    known.agreement_id,
    known.item_id,
    coalesce(known.service, '') as service,
    known.period_start,
    case when late.shipment_id is null then known.arrived_at else timestamptz 'infinity' end
        as arrived_at,
    known.arrived_at as known_at,
    known.shipment_id,
    known.planned_cost::double as planned_cost,
    known.hours::double as hours,
    case
        when known.is_own or coalesce(known.arrived_at < recording.recorded_from, true)
            then known.actual_cost
    end::double as actual_cost
from known
cross join asked
left join recording on known.partner = recording.partner
left join late
    on
        known.partner = late.partner
        and known.shipment_id = late.shipment_id
        and not known.is_own
where known.arrived_at <= asked.as_of
