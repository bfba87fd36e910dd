-- When the orders of a period were known: with the first order shipment that reaches its end.
-- grain: partner, direction, period, period_no
-- reads: int_forecast_due, stg_shipment
-- range: null while no such shipment is here; where the orders are our own,
--        two weeks after the end
with
due_period as (
    select distinct
        partner,
        direction,
        period,
        period_no,
        period_end
    from int_forecast_due
),

order_shipment as (
    select
        partner,
        direction,
        period_end,
        min(arrived_at) as arrived_at
    from stg_shipment
    where kind = 'order'
    group by partner, direction, period_end
),

sender as (
    select distinct
        partner,
        direction
    from order_shipment
),

reached as (
    select
        due_period.*,
        order_shipment.arrived_at
    from due_period
    asof left join order_shipment
        on
            due_period.partner = order_shipment.partner
            and due_period.direction = order_shipment.direction
            and due_period.period_end <= order_shipment.period_end
)

select
    reached.partner,
    reached.direction,
    reached.period,
    reached.period_no,
    case
        when sender.partner is null then reached.period_end + interval 14 day
        when reached.arrived_at is not null then greatest(reached.arrived_at, reached.period_end)
    end as settled_at
from reached
left join sender using (partner, direction)
