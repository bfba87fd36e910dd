-- Forecast cells that were due: every key that was alive, period by period, with its cut-off.
-- grain: partner, direction, column_name, item_id, ship_to, period_no
-- reads: int_forecast_seen, measured_by, run, stg_terms
-- range: cut-off passed by run.as_of, and terms in force at the cut-off; measure is that of the column
with
asked as (select as_of from run),

term as (
    select
        stg_terms.*,
        measured_by.measure,
        measured_by.quantile_level
    from stg_terms
    inner join measured_by using (kind, column_name, witness)
    where kind = 'demand_forecast'
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
    from int_forecast_seen
),

due as (
    select
        dated.*,
        term.agreement_id,
        term.measure,
        term.quantile_level,
        term.starts_at,
        term.ends_at,
        dated.period_start::timestamptz - to_seconds(3600 * term.cut_off_hours) as cut_off_at
    from dated
    inner join term
        on
            dated.partner = term.partner
            and dated.direction = term.direction
            and dated.period = term.period
            and dated.column_name = term.column_name
)

select
    due.partner,
    due.direction,
    due.column_name,
    due.measure,
    due.quantile_level,
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
