-- Cells of plans and stock: what was told of an item and period in time, and what came.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_item_due, int_item_last, int_item_outcome, int_item_told
-- range: as int_item_due; a series is an item in one flow: a plan and stock at the supplier speak of
--        what is delivered to us, stock at the buyer of what it orders
with
due as (
    select * from int_item_due
    where measure = 'numeric'
)

select
    due.partner,
    due.direction,
    due.kind,
    due.column_name,
    due.item_id || '/' || due.flow as series_id,
    due.item_id || '/' || due.flow || '/' || due.period as outcome_id,
    due.period_start,
    due.agreement_id,
    due.cut_off_at,
    outcome.y_known_at,
    case
        when told.f is not null then 'arrived'
        when told.first_arrived_at > due.cut_off_at then 'late'
        else 'missing'
    end as status,
    told.f,
    outcome.y,
    before.last_known,
    before.before_known,
    outcome.known_already,
    case due.period when 'day' then 7 when 'month' then 12 else 52 end as season
from due
inner join int_item_outcome as outcome
    using (partner, direction, kind, column_name, flow, item_id, period, period_no)
left join int_item_told as told
    using (partner, direction, kind, column_name, flow, item_id, period, period_no)
left join int_item_last as before
    using (partner, direction, kind, column_name, flow, item_id, period, period_no)
