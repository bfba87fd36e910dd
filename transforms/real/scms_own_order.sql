-- Order lines of SCMS as the buyer itself knows them, typed; no judge reads them.
-- grain: order_id, line
-- reads: scms_order, vendor_party
-- range: orders to vendors, not to stock; what cannot be read is null
with
ordered as (select * from scms_order),

vendor as (
    select distinct
        party,
        is_stock
    from vendor_party
)

select
    ordered.order_id,
    try_cast(ordered.line as integer) as line,
    ordered.item_id,
    try_cast(ordered.quantity as decimal(18, 3)) as quantity,
    ordered.unit,
    try_cast(ordered.ordered_on as date) as ordered_on,
    try_cast(ordered.requested_date as date) as requested_date,
    ordered.ship_to,
    try_cast(ordered.unit_price as decimal(18, 4)) as unit_price,
    ordered.currency,
    ordered.status,
    ordered.partner,
    ordered.recorded_at
from ordered
inner join vendor on ordered.partner = vendor.party
where not vendor.is_stock
order by ordered.recorded_at, ordered.order_id, line
