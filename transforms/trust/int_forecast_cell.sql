-- Forecast cells with what was told in time, what came, and what we knew anyway at the cut-off.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_demand_change, int_forecast_due, int_forecast_last, int_period_settled, run,
--        stg_demand_forecast
-- range: as int_forecast_due; y is null until its period is settled, and keeps the value it had then
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
    where due.measure = 'numeric'
),

change as (select * from int_demand_change),

told as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.item_id,
        due.ship_to,
        due.period_no,
        arg_max(forecast.value, (forecast.arrived_at, forecast.shipment_id)) filter (
            where forecast.arrived_at <= due.cut_off_at
        ) as f,
        min(forecast.arrived_at) filter (where forecast.value is not null) as first_arrived_at
    from due
    inner join stg_demand_forecast as forecast
        on
            due.partner = forecast.partner
            and due.direction = forecast.direction
            and due.agreement_id = forecast.agreement_id
            and due.column_name = forecast.column_name
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
    inner join change
        on
            due.partner = change.partner
            and due.direction = change.direction
            and due.period = change.period
            and due.item_id = change.item_id
            and due.ship_to = change.ship_to
            and due.period_no = change.period_no
    group by
        due.partner, due.direction, due.column_name, due.item_id, due.ship_to, due.period_no
)

select
    due.partner,
    due.direction,
    'demand_forecast' as kind,
    due.column_name,
    due.item_id || '/' || due.ship_to as series_id,
    due.item_id || '/order/' || due.period as outcome_id,
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
    case when due.settled_at <= asked.as_of then coalesce(ordered.ordered, 0) end as y,
    before.last_known,
    before.before_known,
    coalesce(ordered.book, 0) as known_already,
    case due.period when 'day' then 7 when 'month' then 12 else 52 end as season,
    due.quantile_level
from due
cross join asked
left join told using (partner, direction, column_name, item_id, ship_to, period_no)
left join ordered using (partner, direction, column_name, item_id, ship_to, period_no)
left join int_forecast_last as before
    using (partner, direction, column_name, item_id, ship_to, period_no)
