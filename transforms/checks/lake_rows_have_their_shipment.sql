-- Every landed row belongs to a shipment of its partner, and no shipment landed more than it counts.
-- grain: kind, partner, shipment_id
-- reads: landed.complaint, landed.delivery, landed.delivery_commitment, landed.demand_forecast, landed.design_idea, landed.order, exchange.shipments
-- range: all; fewer rows than counted are right: a row that was said before is stored once
-- failure: stops
with
landed as (
    select
        'complaint' as kind,
        partner,
        shipment_id
    from landed.complaint
    union all
    select
        'delivery' as kind,
        partner,
        shipment_id
    from landed.delivery
    union all
    select
        'delivery_commitment' as kind,
        partner,
        shipment_id
    from landed.delivery_commitment
    union all
    select
        'demand_forecast' as kind,
        partner,
        shipment_id
    from landed.demand_forecast
    union all
    select
        'design_idea' as kind,
        partner,
        shipment_id
    from landed.design_idea
    union all
    select
        'order' as kind,
        partner,
        shipment_id
    from landed."order"
),

shipment as (select * from exchange.shipments),

stored as (
    select
        kind,
        partner,
        shipment_id,
        count(*) as rows_stored
    from landed
    group by kind, partner, shipment_id
)

select
    stored.kind,
    stored.partner,
    stored.shipment_id,
    stored.rows_stored,
    shipment.rows_accepted
from stored
left join shipment
    on
        stored.partner = shipment.partner
        and stored.shipment_id = shipment.shipment_id
        and stored.kind = shipment.kind
where
    shipment.shipment_id is null
    or stored.rows_stored > shipment.rows_accepted
order by stored.kind, stored.partner, stored.shipment_id
