-- Order lines for which a promise was due, column by column, and by when.
-- grain: partner, direction, column_name, order_id, line
-- reads: int_order_line, measured_by, run, stg_terms
-- range: lines we ordered and did not cancel, cut-off passed by run.as_of, terms then in force;
--        a line is closed 28 days after the requested date
with
asked as (select as_of from run),

term as (
    select
        stg_terms.*,
        measured_by.measure
    from stg_terms
    inner join measured_by using (kind, column_name, witness)
    where kind = 'delivery_commitment'
),

line as (
    select *
    from int_order_line
    where partner_role = 'supplier' and ordered_quantity > 0
),

due as (
    select
        term.partner,
        term.direction,
        term.column_name,
        term.measure,
        line.order_id,
        line.line,
        line.item_id,
        term.agreement_id,
        line.ordered_quantity,
        line.requested_date,
        line.placed_at,
        line.cancelled_at,
        -- The answer is due with the shipment of the period after the order, and before the day
        -- on which the goods are wanted: from then on it is not news.
        least(
            line.requested_date::timestamptz,
            case
                when term.cadence <> 'event'
                    then
                        date_trunc(term.cadence, line.placed_at)
                        + ('1 ' || term.cadence)::interval
                        - to_seconds(3600 * term.cut_off_hours)
                when term.cut_off_hours < 0
                    then line.placed_at - to_seconds(3600 * term.cut_off_hours)
                else line.requested_date::timestamptz
            end
        ) as cut_off_at,
        line.requested_date::timestamptz + interval 28 day as closed_at,
        term.starts_at,
        term.ends_at
    from line
    inner join term on line.partner = term.partner and line.direction = term.direction
)

select due.*
from due
cross join asked
where
    due.cut_off_at >= due.starts_at
    and due.cut_off_at < due.ends_at
    and due.cut_off_at <= asked.as_of
    and due.cut_off_at >= due.placed_at
    and coalesce(due.cancelled_at > due.closed_at, true)
