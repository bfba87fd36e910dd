-- Each change of what was ordered or delivered of an item in a period, and of what was known of it.
-- grain: partner, direction, flow, period, item_id, period_no, known_at
-- reads: int_expected_change, int_item_term, int_order_change, int_received
-- range: of outcome_quantity the sum over known_at <= t is what had come by t, of book_quantity what
--        we then counted on: orders in the book, goods received, and the rest that was still expected
with
period_in_use as (
    select distinct
        partner,
        direction,
        flow,
        period
    from int_item_term
),

change as (
    select
        partner,
        direction,
        'order' as flow,
        item_id,
        requested_date as day,
        known_at,
        quantity as outcome_quantity,
        quantity as book_quantity
    from int_order_change
    where partner_role = 'buyer'
    union all
    select
        partner,
        direction,
        'delivery' as flow,
        item_id,
        arrived_on as day,
        known_at,
        quantity as outcome_quantity,
        quantity as book_quantity
    from int_received
    union all
    select
        partner,
        direction,
        'delivery' as flow,
        item_id,
        day,
        known_at,
        0 as outcome_quantity,
        quantity as book_quantity
    from int_expected_change
),

numbered as (
    select
        change.*,
        period_in_use.period,
        case period_in_use.period
            when 'day' then date_diff('day', date '1970-01-05', change.day)
            when 'month' then date_diff('month', date '1970-01-01', change.day)
            else date_diff('week', date '1970-01-05', change.day)
        end as period_no
    from change
    inner join period_in_use using (partner, direction, flow)
)

select
    partner,
    direction,
    flow,
    period,
    item_id,
    period_no,
    known_at,
    sum(outcome_quantity) as outcome_quantity,
    sum(book_quantity) as book_quantity
from numbered
group by partner, direction, flow, period, item_id, period_no, known_at
having sum(outcome_quantity) <> 0 or sum(book_quantity) <> 0
