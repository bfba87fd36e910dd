-- Service cells that were due: each item's services that were alive, period by period.
-- grain: partner, direction, column_name, item_id, service, period, period_no
-- reads: measured_by, run, stg_service_cost, stg_terms
-- range: cut-off passed by run.as_of, and terms in force at the cut-off; a service stays alive for 13
--        periods after it was planned or cost anything; a period is a month, by a daily or weekly
--        cadence a day or week; settled 28 days after its end
with
asked as (select as_of from run),

term as (
    select
        stg_terms.* exclude (period),
        case when cadence in ('day', 'week') then cadence else 'month' end as period
    from stg_terms
    inner join measured_by using (kind, column_name, witness)
    where kind = 'service_cost'
),

seen as (
    select distinct
        cost.partner,
        cost.direction,
        term.period,
        cost.item_id,
        cost.service,
        case term.period
            when 'day' then date_diff('day', date '1970-01-05', cost.period_start)
            when 'week' then date_diff('week', date '1970-01-05', cost.period_start)
            else date_diff('month', date '1970-01-01', cost.period_start)
        end as period_no
    from stg_service_cost as cost
    inner join term using (partner, direction)
    where cost.actual_cost <> 0 or not cost.is_own and (cost.planned_cost <> 0 or cost.hours <> 0)
),

gap as (
    select
        *,
        least(
            13,
            lead(period_no, 1, period_no + 14) over (
                partition by partner, direction, period, item_id, service order by period_no
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
        case period
            when 'day' then date '1970-01-05' + period_no::integer
            when 'week' then date '1970-01-05' + 7 * period_no::integer
            else (date '1970-01-01' + to_months(period_no::integer))::date
        end::timestamptz as period_start
    from alive
),

due as (
    select
        dated.*,
        dated.period_start + ('1 ' || dated.period)::interval + interval 28 day as settled_at,
        term.column_name,
        term.agreement_id,
        term.starts_at,
        term.ends_at,
        case term.cadence
            when 'event' then dated.period_start
            else
                date_trunc(term.cadence, dated.period_start)
                - to_seconds(3600 * term.cut_off_hours)
        end as cut_off_at
    from dated
    inner join term using (partner, direction, period)
)

select due.* exclude (starts_at, ends_at)
from due
cross join asked
where
    due.cut_off_at >= due.starts_at
    and due.cut_off_at < due.ends_at
    and due.cut_off_at <= asked.as_of
