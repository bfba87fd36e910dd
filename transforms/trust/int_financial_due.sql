-- Ratios that were due, period by period, and in which period after they are held against deliveries.
-- grain: partner, direction, column_name, period, period_no
-- reads: int_line_on_time, measured_by, run, stg_financial_health, stg_terms
-- range: cut-off passed by run.as_of, and terms in force at the cut-off; periods in which we were to be
--        supplied, or that were told of, and 13 after; months, or quarters where figures are told when
--        they are closed: then six weeks after the end are time enough
with
asked as (select as_of from run),

term as (
    select
        stg_terms.* exclude (period),
        case cadence when 'event' then 'quarter' else 'month' end as period
    from stg_terms
    inner join measured_by using (kind, column_name, witness)
    where kind = 'financial_health'
),

day_seen as (
    select
        partner,
        direction,
        due_on as seen_on
    from int_line_on_time
    union
    select
        partner,
        direction,
        period_end as seen_on
    from stg_financial_health
    where value is not null
),

seen as (
    select distinct
        day_seen.partner,
        day_seen.direction,
        term.period,
        case term.period
            when 'quarter' then date_diff('quarter', date '1970-01-01', day_seen.seen_on)
            else date_diff('month', date '1970-01-01', day_seen.seen_on)
        end as period_no
    from day_seen
    inner join term using (partner, direction)
),

gap as (
    select
        *,
        least(
            13,
            lead(period_no, 1, period_no + 14) over (
                partition by partner, direction, period order by period_no
            ) - period_no - 1
        ) as silent_periods
    from seen
),

alive as (
    select
        * exclude (period_no, silent_periods),
        period_no + unnest(range(silent_periods + 1)) as period_no
    from gap
),

dated as (
    select
        *,
        (
            date '1970-01-01'
            + to_months(period_no::integer * case period when 'quarter' then 3 else 1 end)
        )::timestamptz as period_start
    from alive
),

due as (
    select
        dated.*,
        term.column_name,
        term.agreement_id,
        term.starts_at,
        term.ends_at,
        dated.period_start + ('1 ' || dated.period)::interval as period_end,
        case term.cadence
            when 'event'
                then dated.period_start + ('1 ' || dated.period)::interval + interval 45 day
            else
                date_trunc(
                    term.cadence,
                    dated.period_start + ('1 ' || dated.period)::interval - interval 1 day
                )
        end - to_seconds(3600 * term.cut_off_hours) as cut_off_at
    from dated
    inner join term using (partner, direction, period)
)

select
    due.* exclude (starts_at, ends_at),
    -- The first whole period that nobody has seen anything of yet.
    date_trunc(
        due.period,
        greatest(due.cut_off_at, due.period_end)
        + ('1 ' || due.period)::interval
        - interval 1 microsecond
    ) as judged_from
from due
cross join asked
where
    due.cut_off_at >= due.starts_at
    and due.cut_off_at < due.ends_at
    and due.cut_off_at <= asked.as_of
