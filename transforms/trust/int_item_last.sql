-- The last value before each due cell of an item: the newest earlier period in our books then.
-- grain: partner, direction, kind, column_name, flow, item_id, period, period_no
-- reads: int_flow_change, int_item_due
-- range: as known at the cut-off; a due cell before anything was ever known has no row;
--        before_known is what had come of the period just before, which may be nothing: what is
--        still expected of it is in the books, and what has come we have seen ourselves
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
),

-- Each cell asks for two periods, each by its number: a join by either of them would be a search.
wanted as (
    select
        *,
        unnest([true, false]) as is_last,
        unnest([last_no, period_no - 1]) as wanted_no
    from reached
)

select
    wanted.partner,
    wanted.direction,
    wanted.kind,
    wanted.column_name,
    wanted.flow,
    wanted.item_id,
    wanted.period,
    wanted.period_no,
    wanted.last_no,
    coalesce(
        sum(change.book_quantity) filter (where wanted.is_last), 0
    ) as last_known,
    coalesce(
        sum(change.outcome_quantity) filter (where not wanted.is_last), 0
    ) as before_known
from wanted
left join change
    on
        wanted.partner = change.partner
        and wanted.direction = change.direction
        and wanted.flow = change.flow
        and wanted.period = change.period
        and wanted.item_id = change.item_id
        and wanted.wanted_no = change.period_no
        and wanted.cut_off_at >= change.known_at
group by
    wanted.partner, wanted.direction, wanted.kind, wanted.column_name, wanted.flow,
    wanted.item_id, wanted.period, wanted.period_no, wanted.last_no
