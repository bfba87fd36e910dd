-- What is usually ordered of an item in a period: the mean of thirteen in our books at the cut-off.
-- grain: partner, direction, column_name, item_id, period, period_no
-- reads: int_flow_change, int_item_due, int_item_last
-- range: due cells of notices about orders; the thirteen periods that end with the last one known, or
--        all since the first
with
due as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.flow,
        due.item_id,
        due.period,
        due.period_no,
        due.cut_off_at,
        before.last_no
    from int_item_due as due
    inner join int_item_last as before
        using (partner, direction, kind, column_name, flow, item_id, period, period_no)
    where due.measure = 'class' and due.flow = 'order'
),

change as (
    select * from int_flow_change
    where flow = 'order'
),

started as (
    select
        partner,
        direction,
        item_id,
        period,
        min(period_no) as first_no
    from change
    group by partner, direction, item_id, period
),

recent as (
    select
        due.*,
        due.last_no - unnest(range(13)) as recent_no
    from due
)

select
    recent.partner,
    recent.direction,
    recent.column_name,
    recent.item_id,
    recent.period,
    recent.period_no,
    coalesce(sum(change.book_quantity), 0)
    / least(13, greatest(1, recent.last_no - started.first_no + 1)) as usual
from recent
inner join started using (partner, direction, item_id, period)
left join change
    on
        recent.partner = change.partner
        and recent.direction = change.direction
        and recent.item_id = change.item_id
        and recent.period = change.period
        and recent.recent_no = change.period_no
        and recent.cut_off_at >= change.known_at
group by
    recent.partner, recent.direction, recent.column_name, recent.item_id, recent.period,
    recent.period_no, recent.last_no, started.first_no
