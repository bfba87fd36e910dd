-- When a period's orders or deliveries were known: with the first shipment of them that reaches its end.
-- grain: partner, direction, flow, period, period_no
-- reads: int_due_period, stg_delivery, stg_shipment
-- range: null while no such shipment is here; where the orders are our own, or we record deliveries
--        ourselves, two weeks after the end
with
due_period as (select * from int_due_period),

flow_shipment as (
    select
        partner,
        direction,
        kind as flow,
        period_end,
        min(arrived_at) as arrived_at
    from stg_shipment
    where kind in ('order', 'delivery')
    group by partner, direction, kind, period_end
),

own_record as (
    select distinct
        partner,
        direction,
        'delivery' as flow
    from stg_delivery
    where is_own
),

sender as (
    select distinct
        partner,
        direction,
        flow
    from flow_shipment
    anti join own_record using (partner, direction, flow)
),

reached as (
    select
        due_period.*,
        flow_shipment.arrived_at
    from due_period
    asof left join flow_shipment
        on
            due_period.partner = flow_shipment.partner
            and due_period.direction = flow_shipment.direction
            and due_period.flow = flow_shipment.flow
            and due_period.period_end <= flow_shipment.period_end
)

select
    reached.partner,
    reached.direction,
    reached.flow,
    reached.period,
    reached.period_no,
    case
        when sender.partner is null then reached.period_end + interval 14 day
        when reached.arrived_at is not null then greatest(reached.arrived_at, reached.period_end)
    end as settled_at
from reached
left join sender using (partner, direction, flow)
