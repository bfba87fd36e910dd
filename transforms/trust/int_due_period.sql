-- Periods of which anything is due, by the flow whose sum they are judged by.
-- grain: partner, direction, flow, period, period_no
-- reads: int_forecast_due, int_item_due
-- range: as what it reads; a forecast is judged by orders
with
due as (
    select
        partner,
        direction,
        'order' as flow,
        period,
        period_no,
        period_end
    from int_forecast_due
    union
    select
        partner,
        direction,
        flow,
        period,
        period_no,
        period_end
    from int_item_due
)

select * from due
