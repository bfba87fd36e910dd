-- What we ourselves had planned to need of an item in a due period, as we last said before its cut-off.
-- grain: partner, direction, kind, column_name, flow, item_id, period, period_no
-- reads: int_item_due, stg_own_forecast
-- range: due cells about deliveries; of each place the newest word, added up
with
due as (
    select * from int_item_due
    where flow = 'delivery'
),

planned as (
    select
        *,
        case period
            when 'day' then date_diff('day', date '1970-01-05', period_start)
            when 'month' then date_diff('month', date '1970-01-01', period_start)
            else date_diff('week', date '1970-01-05', period_start)
        end as period_no
    from stg_own_forecast
),

by_place as (
    select
        due.partner,
        due.direction,
        due.kind,
        due.column_name,
        due.flow,
        due.item_id,
        due.period,
        due.period_no,
        planned.ship_to,
        arg_max(planned.quantity, (planned.arrived_at, planned.shipment_id)) as quantity
    from due
    inner join planned
        on
            due.partner = planned.partner
            and due.direction = planned.direction
            and due.item_id = planned.item_id
            and due.period = planned.period
            and due.period_no = planned.period_no
            and due.cut_off_at >= planned.arrived_at
    group by
        due.partner, due.direction, due.kind, due.column_name, due.flow, due.item_id, due.period,
        due.period_no, planned.ship_to
)

select
    partner,
    direction,
    kind,
    column_name,
    flow,
    item_id,
    period,
    period_no,
    sum(quantity) as quantity
from by_place
group by partner, direction, kind, column_name, flow, item_id, period, period_no
