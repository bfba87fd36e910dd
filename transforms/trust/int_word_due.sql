-- Weeks of items for which a plan or a stock was due, column by column, with the cut-off.
-- grain: partner, direction, kind, column_name, item_id, week_no
-- reads: int_item_change, run, stg_terms, stg_weekly_word
-- range: as for forecasts: an item is alive in a week in which it was told of or moved, and for 13
--        weeks after; cut-off passed by run.as_of, terms then in force. Who orders from us has its
--        orders as the outcome, who delivers to us its deliveries
with
asked as (select as_of from run),

moved as (
    select distinct
        partner,
        direction,
        outcome,
        item_id,
        week_no
    from int_item_change
    where quantity > 0
),

orderer as (
    select
        partner,
        direction,
        -- Deliveries to us are of orders of ours, so who has both delivers.
        min(outcome) as outcome
    from moved
    group by partner, direction
),

term as (
    select
        stg_terms.*,
        coalesce(orderer.outcome, 'delivery') as outcome
    from stg_terms
    left join orderer using (partner, direction)
    where kind in ('production_plan', 'inventory') and witness = 'delivery.quantity'
),

seen as (
    select
        partner,
        direction,
        kind,
        item_id,
        week_no
    from stg_weekly_word
    where value <> 0
    union
    select
        moved.partner,
        moved.direction,
        term.kind,
        moved.item_id,
        moved.week_no
    from moved
    inner join term using (partner, direction, outcome)
),

gap as (
    select
        *,
        least(
            13,
            lead(week_no, 1, week_no + 14) over (
                partition by partner, direction, kind, item_id order by week_no
            ) - week_no - 1
        ) as silent_weeks
    from seen
),

alive as (
    select
        partner,
        direction,
        kind,
        item_id,
        week_no + unnest(range(silent_weeks + 1)) as week_no
    from gap
),

due as (
    select
        alive.*,
        term.column_name,
        term.agreement_id,
        term.outcome,
        term.starts_at,
        term.ends_at,
        (date '1970-01-05' + 7 * alive.week_no::integer)::timestamptz as period_start,
        (date '1970-01-05' + 7 * alive.week_no::integer)::timestamptz
        - to_seconds(3600 * term.cut_off_hours) as cut_off_at
    from alive
    inner join term using (partner, direction, kind)
)

select due.* exclude (starts_at, ends_at)
from due
cross join asked
where
    due.cut_off_at >= due.starts_at
    and due.cut_off_at < due.ends_at
    and due.cut_off_at <= asked.as_of
