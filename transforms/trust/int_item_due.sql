-- Cells of an item and period that were due: every item that was alive, with its cut-off.
-- grain: partner, direction, kind, column_name, flow, item_id, period, period_no
-- reads: int_item_seen, int_item_term, run
-- range: cut-off passed by run.as_of, and terms in force at the cut-off; what is told of is told_no:
--        the period itself, of stock the one before, and then due when that is over at the earliest;
--        what is told when it happens is due before the period begins
with
asked as (select as_of from run),

dated as (
    select
        *,
        case period
            when 'day' then date '1970-01-05' + period_no::integer
            when 'month' then (date '1970-01-01' + to_months(period_no::integer))::date
            else date '1970-01-05' + 7 * period_no::integer
        end::timestamptz as period_start
    from int_item_seen
),

due as (
    select
        dated.*,
        dated.period_no - term.ahead as told_no,
        dated.period_start + ('1 ' || dated.period)::interval as period_end,
        term.column_name,
        term.measure,
        term.agreement_id,
        term.starts_at,
        term.ends_at,
        case term.cadence
            when 'event' then dated.period_start
            else
                greatest(
                    date_trunc(
                        term.cadence,
                        dated.period_start - term.ahead * ('1 ' || dated.period)::interval
                    ) - to_seconds(3600 * term.cut_off_hours),
                    -- A day that has not come cannot have been counted.
                    case when term.ahead > 0 then dated.period_start end
                )
        end as cut_off_at
    from dated
    inner join int_item_term as term using (partner, direction, kind, flow, period)
)

select
    due.partner,
    due.direction,
    due.kind,
    due.column_name,
    due.measure,
    due.flow,
    due.item_id,
    due.period,
    due.period_no,
    due.told_no,
    due.agreement_id,
    due.period_start,
    due.period_end,
    due.cut_off_at
from due
cross join asked
where
    due.cut_off_at >= due.starts_at
    and due.cut_off_at < due.ends_at
    and due.cut_off_at <= asked.as_of
