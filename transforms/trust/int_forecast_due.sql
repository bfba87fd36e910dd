-- Forecast cells that were due: every key that was ordered or forecast lately, period by period.
-- grain: partner, direction, column_name, item_id, ship_to, period_no
-- reads: int_demand_change, run, stg_demand_forecast, stg_terms
-- range: cut-off passed by run.as_of; a key stays due for 13 periods after it was last seen, so
--        a sender that drops the keys it finds hard still owes them
with
asked as (select as_of from run),

term as (
    select *
    from stg_terms
    where kind = 'demand_forecast' and column_name = 'quantity' and witness = 'order.quantity'
),

told as (
    select
        partner,
        direction,
        period,
        item_id,
        ship_to,
        case period
            when 'day' then date_diff('day', date '1970-01-05', period_start)
            when 'month' then date_diff('month', date '1970-01-01', period_start)
            else date_diff('week', date '1970-01-05', period_start)
        end as period_no
    from stg_demand_forecast
    where value <> 0
),

ordered as (
    select
        partner,
        direction,
        period,
        item_id,
        ship_to,
        period_no
    from int_demand_change
    where is_new and quantity <> 0
),

seen as (
    select * from told
    union
    select * from ordered
),

gap as (
    select
        *,
        least(
            13,
            lead(period_no, 1, period_no + 14) over (
                partition by partner, direction, period, item_id, ship_to order by period_no
            ) - period_no - 1
        ) as silent_periods
    from seen
),

spread as (
    select
        partner,
        direction,
        period,
        item_id,
        ship_to,
        period_no + unnest(range(silent_periods + 1)) as period_no
    from gap
),

dated as (
    select
        *,
        case period
            when 'day' then date '1970-01-05' + period_no::integer
            when 'month' then (date '1970-01-01' + to_months(period_no::integer))::date
            else date '1970-01-05' + 7 * period_no::integer
        end as period_start,
        case period
            when 'day' then date '1970-01-05' + (period_no + 1)::integer
            when 'month' then (date '1970-01-01' + to_months((period_no + 1)::integer))::date
            else date '1970-01-05' + 7 * (period_no + 1)::integer
        end as period_end
    from spread
),

due as (
    select
        dated.*,
        term.agreement_id,
        term.column_name,
        term.starts_at,
        term.ends_at,
        dated.period_start::timestamptz - to_seconds(3600 * term.cut_off_hours) as cut_off_at
    from dated
    inner join term
        on
            dated.partner = term.partner
            and dated.direction = term.direction
            and dated.period = term.period
)

select
    due.partner,
    due.direction,
    due.column_name,
    due.item_id,
    due.ship_to,
    due.period_no,
    due.period,
    due.agreement_id,
    due.period_start::timestamptz as period_start,
    due.period_end::timestamptz as period_end,
    due.cut_off_at
from due
cross join asked
where
    due.cut_off_at >= due.starts_at
    and due.cut_off_at < due.ends_at
    and due.cut_off_at <= asked.as_of
order by
    due.partner, due.direction, due.column_name, due.item_id, due.ship_to, due.period_no
