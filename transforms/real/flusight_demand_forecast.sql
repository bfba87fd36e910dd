-- FluSight forecasts as demand forecasts of the hub: a place's weekly hospital admissions.
-- grain: model, item_id, period_start, recorded_at
-- reads: flusight_forecast
-- range: every horizon that was submitted, -1 (the week before, not final yet) to 3 weeks ahead;
--        submitted on the Wednesday before the reference Saturday, as FluSight asked
with
forecast as (select * from flusight_forecast),

pivoted as (
    select
        model,
        reference_date,
        location,
        target_end_date,
        max(value) filter (where round(quantile, 3) = 0.1) as low,
        max(value) filter (where round(quantile, 3) = 0.5) as median,
        max(value) filter (where round(quantile, 3) = 0.9) as high
    from forecast
    group by model, reference_date, location, target_end_date
)

select
    model,
    location as item_id,
    'hub' as ship_to,
    target_end_date - 5 as period_start,
    'week' as period,
    median::decimal(18, 3) as quantity,
    low::decimal(18, 3) as quantity_low,
    high::decimal(18, 3) as quantity_high,
    'planning' as commitment,
    'C62' as unit,
    null::varchar as supplier_item_id,
    null::varchar as note,
    'hub' as partner,
    (reference_date - 3)::timestamp at time zone 'UTC' + interval 23 hour as recorded_at
from pivoted
order by recorded_at, model, item_id, period_start
