-- What a forecasting team sends: its submission since the last one, and nothing older again.
-- grain: item_id, ship_to, period_start, period
-- reads: run, source_demand_forecast
-- range: run.since <= recorded_at < run.as_of, weeks that are already over included
select
    source.item_id,
    source.ship_to,
    source.period_start,
    source.period,
    source.quantity,
    source.quantity_low,
    source.quantity_high,
    source.commitment,
    source.unit,
    source.supplier_item_id,
    source.note
from source_demand_forecast as source
cross join run
where
    source.partner = run.partner
    and source.recorded_at >= run.since
    and source.recorded_at < run.as_of
order by source.item_id, source.ship_to, source.period_start, source.period
