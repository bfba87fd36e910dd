-- What became of each due cell of an item: what came in the period, and what we counted on before.
-- grain: partner, direction, kind, column_name, flow, item_id, period, period_no
-- reads: int_flow_change, int_item_due, int_item_planned, int_period_settled, run
-- range: as int_item_due; y is null until its period is settled, and keeps the value it had then;
--        known_already is what was in our books at the cut-off: ordered, promised or received, and
--        where nothing was yet, what we had planned to need ourselves
with
asked as (select as_of from run),

due as (
    select
        due.*,
        settled.settled_at
    from int_item_due as due
    left join int_period_settled as settled using (partner, direction, flow, period, period_no)
)

select
    due.partner,
    due.direction,
    due.kind,
    due.column_name,
    due.flow,
    due.item_id,
    due.period,
    due.period_no,
    due.settled_at as y_known_at,
    case
        when due.settled_at <= asked.as_of
            then
                coalesce(
                    sum(change.outcome_quantity) filter (
                        where change.known_at <= due.settled_at
                    ),
                    0
                )
    end as y,
    coalesce(
        nullif(sum(change.book_quantity) filter (where change.known_at <= due.cut_off_at), 0),
        any_value(planned.quantity),
        0
    ) as known_already
from due
cross join asked
left join int_item_planned as planned
    using (partner, direction, kind, column_name, flow, item_id, period, period_no)
left join int_flow_change as change using (partner, direction, flow, period, item_id, period_no)
group by
    due.partner, due.direction, due.kind, due.column_name, due.flow, due.item_id, due.period,
    due.period_no, due.settled_at, asked.as_of
