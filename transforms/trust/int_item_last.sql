-- The last value before each due cell of an item: the newest earlier period in our books then.
-- grain: partner, direction, kind, column_name, flow, item_id, period, period_no
-- reads: int_flow_change, int_item_due
-- range: as known at the cut-off; a due cell before anything was ever known has no row;
--        before_known is what the books held of the period just before, which may be nothing
with
due as (select * from int_item_due),

change as (select * from int_flow_change),

reach as (
    select distinct
        partner,
        direction,
        flow,
        period,
        item_id,
        known_at,
        max(period_no) over (
            partition by partner, direction, flow, period, item_id order by known_at
        ) as newest_no
    from change
    where book_quantity > 0
),

reached as (
    select
        due.*,
        least(reach.newest_no, due.period_no - 1) as last_no
    from due
    asof join reach
        on
            due.partner = reach.partner
            and due.direction = reach.direction
            and due.flow = reach.flow
            and due.period = reach.period
            and due.item_id = reach.item_id
            and due.cut_off_at >= reach.known_at
)

select
    reached.partner,
    reached.direction,
    reached.kind,
    reached.column_name,
    reached.flow,
    reached.item_id,
    reached.period,
    reached.period_no,
    reached.last_no,
    coalesce(
        sum(change.book_quantity) filter (where change.period_no = reached.last_no), 0
    ) as last_known,
    coalesce(
        sum(change.book_quantity) filter (where change.period_no = reached.period_no - 1), 0
    ) as before_known
from reached
left join change
    on
        reached.partner = change.partner
        and reached.direction = change.direction
        and reached.flow = change.flow
        and reached.period = change.period
        and reached.item_id = change.item_id
        and change.period_no in (reached.last_no, reached.period_no - 1)
        and reached.cut_off_at >= change.known_at
group by
    reached.partner, reached.direction, reached.kind, reached.column_name, reached.flow,
    reached.item_id, reached.period, reached.period_no, reached.last_no
