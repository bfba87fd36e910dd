-- The last value before each due forecast cell: the newest earlier period in our order book then.
-- grain: partner, direction, column_name, item_id, ship_to, period_no
-- reads: int_demand_change, int_forecast_due
-- range: as known at the cut-off; a due cell before the first order ever known has no row;
--        before_known is what the book held of the period just before, which may be nothing
with
due as (select * from int_forecast_due),

change as (select * from int_demand_change),

reach as (
    select distinct
        partner,
        direction,
        period,
        item_id,
        ship_to,
        known_at,
        max(period_no) over (
            partition by partner, direction, period, item_id, ship_to order by known_at
        ) as newest_no
    from change
    where quantity > 0
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
            and due.period = reach.period
            and due.item_id = reach.item_id
            and due.ship_to = reach.ship_to
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
    wanted.column_name,
    wanted.item_id,
    wanted.ship_to,
    wanted.period_no,
    wanted.last_no,
    coalesce(
        sum(change.quantity) filter (where wanted.is_last), 0
    ) as last_known,
    coalesce(
        sum(change.quantity) filter (where not wanted.is_last), 0
    ) as before_known
from wanted
left join change
    on
        wanted.partner = change.partner
        and wanted.direction = change.direction
        and wanted.period = change.period
        and wanted.item_id = change.item_id
        and wanted.ship_to = change.ship_to
        and wanted.wanted_no = change.period_no
        and wanted.cut_off_at >= change.known_at
group by
    wanted.partner, wanted.direction, wanted.column_name, wanted.item_id, wanted.ship_to,
    wanted.period_no, wanted.last_no
