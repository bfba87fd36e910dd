-- Stock that a partner told us of, every vintage, one row a value, and which flow it speaks of.
-- grain: partner, direction, agreement_id, column_name, flow, item_id, site_id, as_of, arrived_at,
--        shipment_id
-- reads: landed.inventory, run, stg_shipment
-- range: arrived_at <= run.as_of, and without end for what came after its shipment's cut-off; stock
--        that is not blocked: outbound will be delivered to us, inbound puts off what is ordered
with
asked as (select as_of from run),

named as (select unnest(['quantity', 'days_of_supply']) as column_name),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
)

select
    stock.partner,
    'in' as direction,
    stock.agreement_id,
    named.column_name,
    case stock.direction when 'inbound' then 'order' else 'delivery' end as flow,
    stock.item_id,
    coalesce(stock.site_id, '') as site_id,
    stock.as_of,
    case when late.shipment_id is null then stock.arrived_at else timestamptz 'infinity' end
        as arrived_at,
    stock.shipment_id,
    case named.column_name
        when 'quantity' then stock.quantity
        else stock.days_of_supply
    end::double as value
from landed.inventory as stock
cross join asked
cross join named
left join late on stock.partner = late.partner and stock.shipment_id = late.shipment_id
where
    stock.arrived_at <= asked.as_of
    and not coalesce(stock.blocked, false)
