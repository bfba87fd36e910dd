-- Cells of plans and stocks: what was told in time, what came, and what we knew anyway.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_item_change, int_promise_change, int_word_due, run, stg_weekly_word
-- range: as int_word_due; of each place the newest word, summed; y is what was known two weeks after
--        the week, and stays. Known already: what was ordered for the week, or promised for it
with
asked as (select as_of from run),

due as (
    select
        *,
        period_start + interval 21 day as settled_at
    from int_word_due
),

said as (
    select
        due.partner,
        due.direction,
        due.kind,
        due.column_name,
        due.item_id,
        due.week_no,
        word.place,
        arg_max(word.value, (word.arrived_at, word.shipment_id)) filter (
            where word.arrived_at <= due.cut_off_at
        ) as value,
        min(word.arrived_at) as first_arrived_at
    from due
    inner join stg_weekly_word as word
        using (partner, direction, kind, column_name, agreement_id, item_id, week_no)
    group by
        due.partner, due.direction, due.kind, due.column_name, due.item_id, due.week_no, word.place
),

told as (
    select
        partner,
        direction,
        kind,
        column_name,
        item_id,
        week_no,
        sum(value) as f,
        min(first_arrived_at) as first_arrived_at
    from said
    group by partner, direction, kind, column_name, item_id, week_no
),

week as (
    select distinct
        partner,
        direction,
        outcome,
        item_id,
        week_no,
        cut_off_at,
        settled_at
    from due
),

came as (
    select
        week.partner,
        week.direction,
        week.item_id,
        week.week_no,
        week.cut_off_at,
        sum(change.quantity) filter (where change.known_at <= week.settled_at) as y,
        sum(change.quantity) filter (where change.known_at <= week.cut_off_at) as book
    from week
    inner join int_item_change as change using (partner, direction, outcome, item_id, week_no)
    group by week.partner, week.direction, week.item_id, week.week_no, week.cut_off_at
),

promised as (
    select
        week.partner,
        week.direction,
        week.item_id,
        week.week_no,
        week.cut_off_at,
        sum(change.quantity) filter (where change.known_at <= week.cut_off_at) as book
    from week
    inner join int_promise_change as change using (partner, direction, item_id, week_no)
    where week.outcome = 'delivery'
    group by week.partner, week.direction, week.item_id, week.week_no, week.cut_off_at
)

select
    due.partner,
    due.direction,
    due.kind,
    due.column_name,
    due.item_id as series_id,
    due.period_start,
    due.agreement_id,
    due.cut_off_at,
    due.settled_at as y_known_at,
    case
        when told.f is not null then 'arrived'
        when told.first_arrived_at > due.cut_off_at then 'late'
        else 'missing'
    end as status,
    told.f,
    case when due.settled_at <= asked.as_of then coalesce(came.y, 0) end as y,
    null::double as last_known,
    coalesce(case when due.outcome = 'order' then came.book else promised.book end, 0)
        as known_already,
    52 as season
from due
cross join asked
left join told using (partner, direction, kind, column_name, item_id, week_no)
left join came using (partner, direction, item_id, week_no, cut_off_at)
left join promised using (partner, direction, item_id, week_no, cut_off_at)
