-- Every landed row belongs to a shipment of its partner, and no shipment landed more than it counts.
-- grain: kind, partner, shipment_id
-- reads: landed.complaint, landed.delivery, landed.delivery_commitment, landed.demand_forecast, landed.design_idea,
--        landed.disruption, landed.financial_health, landed.interaction, landed.inventory,
--        landed.order, landed.process_idea, landed.production_plan, landed.service_cost, exchange.shipments
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
        'disruption' as kind,
        partner,
        shipment_id
    from landed.disruption
    union all
    select
        'financial_health' as kind,
        partner,
        shipment_id
    from landed.financial_health
    union all
    select
        'interaction' as kind,
        partner,
        shipment_id
    from landed.interaction
    union all
    select
        'inventory' as kind,
        partner,
        shipment_id
    from landed.inventory
    union all
    select
        'order' as kind,
        partner,
        shipment_id
    from landed."order"
    union all
    select
        'process_idea' as kind,
        partner,
        shipment_id
    from landed.process_idea
    union all
    select
        'production_plan' as kind,
        partner,
        shipment_id
    from landed.production_plan
    union all
    select
        'service_cost' as kind,
        partner,
        shipment_id
    from landed.service_cost
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
