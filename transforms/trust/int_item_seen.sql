-- Periods in which an item was alive: delivered, ordered or told of in them, or not long before.
-- grain: partner, direction, kind, flow, period, item_id, period_no
-- reads: int_flow_change, int_item_term, stg_inventory, stg_production_plan
-- range: an item stays alive for 13 periods after it was last seen, so a sender that drops the items it
--        finds hard still owes them; zero is an answer, not a sign of life
with
term as (
    select distinct
        partner,
        direction,
        kind,
        flow,
        period,
        ahead
    from int_item_term
),

told as (
    select
        partner,
        direction,
        'production_plan' as kind,
        'delivery' as flow,
        item_id,
        period_start as day
    from stg_production_plan
    where value <> 0
    union all
    select
        partner,
        direction,
        'inventory' as kind,
        flow,
        item_id,
        as_of as day
    from stg_inventory
    where value <> 0
),

seen as (
    select
        told.partner,
        told.direction,
        told.kind,
        told.flow,
        term.period,
        told.item_id,
        case term.period
            when 'day' then date_diff('day', date '1970-01-05', told.day)
            when 'month' then date_diff('month', date '1970-01-01', told.day)
            else date_diff('week', date '1970-01-05', told.day)
        end + term.ahead as period_no
    from told
    inner join term using (partner, direction, kind, flow)
    union
    select
        change.partner,
        change.direction,
        term.kind,
        change.flow,
        change.period,
        change.item_id,
        change.period_no
    from int_flow_change as change
    inner join term using (partner, direction, flow, period)
    where change.outcome_quantity > 0
),

gap as (
    select
        *,
        least(
            13,
            lead(period_no, 1, period_no + 14) over (
                partition by partner, direction, kind, flow, period, item_id order by period_no
            ) - period_no - 1
        ) as silent_periods
    from seen
)

select
    partner,
    direction,
    kind,
    flow,
    period,
    item_id,
    period_no + unnest(range(silent_periods + 1)) as period_no
from gap
