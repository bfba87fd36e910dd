-- Forecast cells of commitment: how firm the newest word in time was, and what the order came to.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_demand_change, int_forecast_due, int_forecast_last, int_period_settled, run,
--        stg_demand_forecast
-- range: as int_forecast_due; y_class is null until its period is settled: none, less, about as much
--        (within a tenth) or more than the last that we knew at the cut-off. Never than the forecast:
--        who chooses its quantities would choose the outcome, and all is more than nothing known.
--        own_class is what came last itself: none in the period before, or how that last stands to the
--        mean of those of thirteen cells. After much, less is likelier, and we need not be told; nor
--        what the orders placed by then, or the quantity told with the word, say of it
with
asked as (select as_of from run),

due as (
    select
        due.*,
        settled.settled_at
    from int_forecast_due as due
    left join int_period_settled as settled
        on
            due.partner = settled.partner
            and due.direction = settled.direction
            and due.period = settled.period
            and due.period_no = settled.period_no
            and settled.flow = 'order'
    where due.measure = 'class'
),

told as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.item_id,
        due.ship_to,
        due.period_no,
        arg_max(forecast.commitment, (forecast.arrived_at, forecast.shipment_id)) filter (
            where forecast.arrived_at <= due.cut_off_at
        ) as f_class,
        arg_max(forecast.value, (forecast.arrived_at, forecast.shipment_id)) filter (
            where forecast.arrived_at <= due.cut_off_at
        ) as quantity,
        min(forecast.arrived_at) filter (where forecast.commitment is not null)
            as first_arrived_at
    from due
    inner join stg_demand_forecast as forecast
        on
            due.partner = forecast.partner
            and due.direction = forecast.direction
            and due.agreement_id = forecast.agreement_id
            and forecast.column_name = 'quantity'
            and due.item_id = forecast.item_id
            and due.ship_to = forecast.ship_to
            and due.period = forecast.period
            and due.period_start = forecast.period_start::timestamptz
    group by
        due.partner, due.direction, due.column_name, due.item_id, due.ship_to, due.period_no
),

ordered as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.item_id,
        due.ship_to,
        due.period_no,
        sum(change.quantity) filter (where change.known_at <= due.settled_at) as ordered,
        sum(change.quantity) filter (where change.known_at <= due.cut_off_at) as book
    from due
    inner join int_demand_change as change
        on
            due.partner = change.partner
            and due.direction = change.direction
            and due.period = change.period
            and due.item_id = change.item_id
            and due.ship_to = change.ship_to
            and due.period_no = change.period_no
    group by
        due.partner, due.direction, due.column_name, due.item_id, due.ship_to, due.period_no
),

before as (
    select
        *,
        avg(last_known) over (
            partition by partner, direction, column_name, item_id, ship_to
            order by period_no
            rows between 12 preceding and current row
        ) as usual
    from int_forecast_last
),

known as (
    select
        due.*,
        told.f_class,
        told.first_arrived_at,
        ordered.ordered,
        before.last_known,
        before.before_known,
        before.usual,
        coalesce(nullif(ordered.book, 0), told.quantity) as expected
    from due
    left join told using (partner, direction, column_name, item_id, ship_to, period_no)
    left join ordered using (partner, direction, column_name, item_id, ship_to, period_no)
    left join before using (partner, direction, column_name, item_id, ship_to, period_no)
)

select
    known.partner,
    known.direction,
    'demand_forecast' as kind,
    known.column_name,
    known.item_id || '/' || known.ship_to as series_id,
    known.period_start,
    known.agreement_id,
    known.cut_off_at,
    known.settled_at as y_known_at,
    case
        when known.f_class is not null then 'arrived'
        when known.first_arrived_at > known.cut_off_at then 'late'
        else 'missing'
    end as status,
    known.f_class,
    case
        when coalesce(known.settled_at > asked.as_of, true) then null
        when coalesce(known.ordered, 0) <= 0 then 'none'
        when known.ordered < 0.9 * known.last_known then 'less'
        when known.ordered <= 1.1 * known.last_known then 'as before'
        else 'more'
    end as y_class,
    concat_ws(
        '/',
        case
            when known.before_known <= 0 then 'none'
            when known.last_known < 0.9 * known.usual then 'less'
            when known.last_known <= 1.1 * known.usual then 'as before'
            when known.last_known > 1.1 * known.usual then 'more'
        end,
        case
            when known.expected <= 0 then 'none'
            when known.expected < 0.9 * known.last_known then 'less'
            when known.expected <= 1.1 * known.last_known then 'as before'
            when known.expected > 1.1 * known.last_known then 'more'
        end
    ) as own_class,
    4 as classes
from known
cross join asked
