-- Cells of notices: the effect that was in force for an item and period, and whether it fell short.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_item_due, int_item_outcome, int_item_usual, stg_disruption
-- range: as int_item_due; no notice says none, and is an answer; a cell is late where a notice about it
--        came after its cut-off. Deliveries fall short when a tenth of what we counted on at the
--        cut-off does not come, orders when they are a tenth under what is usual
with
due as (
    select
        due.*,
        outcome.y,
        outcome.y_known_at,
        outcome.known_already,
        usual.usual,
        case due.flow when 'order' then usual.usual else outcome.known_already end as expected
    from int_item_due as due
    inner join int_item_outcome as outcome
        using (partner, direction, kind, column_name, flow, item_id, period, period_no)
    left join int_item_usual as usual
        on
            due.partner = usual.partner
            and due.direction = usual.direction
            and due.column_name = usual.column_name
            and due.item_id = usual.item_id
            and due.period = usual.period
            and due.period_no = usual.period_no
            and due.flow = 'order'
    where due.measure = 'class'
),

notice as (
    select
        *,
        -- A later state takes the place of the one before when it is here.
        lead(arrived_at) over (
            partition by partner, direction, agreement_id, notice_id, item_id
            order by status_no, arrived_at, shipment_id
        ) as replaced_at
    from stg_disruption
),

told as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.flow,
        due.item_id,
        due.period,
        due.period_no,
        arg_max(notice.effect, (notice.arrived_at, notice.notice_id)) filter (
            where
            notice.arrived_at <= due.cut_off_at
            and coalesce(notice.replaced_at > due.cut_off_at, true)
        ) as effect,
        coalesce(
            bool_or(notice.arrived_at > due.cut_off_at and notice.told_at <= due.y_known_at), false
        ) as is_late
    from due
    inner join notice
        on
            due.partner = notice.partner
            and due.direction = notice.direction
            and due.agreement_id = notice.agreement_id
            and notice.item_id in (due.item_id, '')
            and due.period_end > notice.starts_on::timestamptz
            and due.period_start <= coalesce(notice.ends_on, date 'infinity')::timestamptz
    group by
        due.partner, due.direction, due.column_name, due.flow, due.item_id, due.period,
        due.period_no
)

select
    due.partner,
    due.direction,
    due.kind,
    due.column_name,
    due.item_id || '/' || due.flow as series_id,
    due.period_start,
    due.agreement_id,
    due.cut_off_at,
    due.y_known_at,
    case
        when told.effect is null and told.is_late then 'late'
        else 'arrived'
    end as status,
    -- Who tells of it later had said that there was nothing.
    coalesce(told.effect, 'none') as f_class,
    case
        when due.y is null then null
        when due.y < 0.9 * due.expected then 'short'
        else 'as expected'
    end as y_class,
    -- An order that is cut already needs no notice.
    case
        when due.flow = 'order' and due.known_already > 0
            then
                case when due.known_already < 0.9 * due.usual then 'short' else 'as expected' end
    end as own_class,
    2 as classes
from due
left join told using (partner, direction, column_name, flow, item_id, period, period_no)
