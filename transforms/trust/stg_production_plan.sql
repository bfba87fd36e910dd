-- Production plans that landed, every vintage, one row a value.
-- grain: partner, direction, agreement_id, column_name, item_id, site_id, period_start, arrived_at,
--        shipment_id
-- reads: landed.production_plan, run, stg_shipment
-- range: arrived_at <= run.as_of, and without end for what came after its shipment's cut-off: it is
--        known of and counts for nothing
with
asked as (select as_of from run),

named as (select unnest(['planned_quantity', 'capacity_quantity']) as column_name),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
)

select
    plan.partner,
    'in' as direction,
    plan.agreement_id,
    named.column_name,
    plan.item_id,
    coalesce(plan.site_id, '') as site_id,
    plan.period_start,
    case when late.shipment_id is null then plan.arrived_at else timestamptz 'infinity' end
        as arrived_at,
    plan.shipment_id,
    case named.column_name
        when 'planned_quantity' then plan.planned_quantity
        else plan.capacity_quantity
    end::double as value
from landed.production_plan as plan
cross join asked
cross join named
left join late on plan.partner = late.partner and plan.shipment_id = late.shipment_id
where plan.arrived_at <= asked.as_of
