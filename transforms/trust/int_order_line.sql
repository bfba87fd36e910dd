-- Order lines as first placed, with the promise that answered them and what came of it.
-- grain: partner, direction, order_id, line
-- reads: stg_delivery, stg_delivery_commitment, stg_order
-- range: as stg_order; promise columns are null where no promise came before it was due
with
vintage as (
    select
        *,
        lag(quantity) over (
            partition by partner, direction, order_id, line order by vintage_no
        ) as quantity_before
    from stg_order
),

placed as (
    select
        partner,
        direction,
        order_id,
        line,
        arg_min(partner_role, vintage_no) as partner_role,
        arg_min(item_id, vintage_no) as item_id,
        min(known_at) as placed_at,
        arg_min(quantity, vintage_no) as ordered_quantity,
        arg_min(requested_date, vintage_no) as requested_date,
        arg_min(unit_price, vintage_no) as unit_price,
        arg_max(quantity, vintage_no) as wanted_quantity,
        min(known_at) filter (where quantity = 0) as cancelled_at,
        min(known_at) filter (where quantity < quantity_before) as cut_at
    from vintage
    group by partner, direction, order_id, line
),

promise as (
    select
        placed.partner,
        placed.direction,
        placed.order_id,
        placed.line,
        min_by(
            commitment.promised_date,
            (commitment.arrived_at, commitment.commitment_no, commitment.shipment_id)
        ) as promised_date,
        min_by(
            commitment.promised_quantity,
            (commitment.arrived_at, commitment.commitment_no, commitment.shipment_id)
        ) as promised_quantity,
        min(commitment.arrived_at) as promised_at
    from placed
    inner join stg_delivery_commitment as commitment
        on
            placed.partner = commitment.partner
            and placed.direction = commitment.direction
            and placed.order_id = commitment.order_id
            and placed.line = commitment.line
            and (placed.partner_role = 'supplier') = (commitment.promised_by = 'partner')
    where
        -- The first is what was here first, whatever its number. A promise after the fact is none:
        -- it is here before the day that was asked for, or within a day of the order.
        commitment.promised_date is not null
        and commitment.arrived_at < greatest(
            placed.requested_date::timestamptz, placed.placed_at + interval 1 day
        )
        and commitment.arrived_at < commitment.promised_date::timestamptz + interval 1 day
    group by placed.partner, placed.direction, placed.order_id, placed.line
),

came as (
    select
        placed.partner,
        placed.direction,
        placed.order_id,
        placed.line,
        count(*) as deliveries,
        count(*) filter (where delivery.arrived_on is null) as on_the_way,
        sum(delivery.accepted_quantity) filter (
            where delivery.arrived_on <= coalesce(promise.promised_date, placed.requested_date)
        ) as on_time_quantity,
        sum(delivery.accepted_quantity) filter (
            where delivery.arrived_on <= placed.requested_date
        ) as as_requested_quantity
    from placed
    inner join stg_delivery as delivery using (partner, direction, order_id, line)
    left join promise using (partner, direction, order_id, line)
    group by placed.partner, placed.direction, placed.order_id, placed.line
)

select
    placed.partner,
    placed.direction,
    placed.order_id,
    placed.line,
    placed.partner_role,
    placed.item_id,
    placed.placed_at,
    placed.ordered_quantity,
    placed.wanted_quantity,
    placed.cancelled_at,
    placed.cut_at,
    placed.requested_date,
    placed.unit_price,
    promise.promised_date,
    promise.promised_quantity,
    promise.promised_at,
    coalesce(promise.promised_date, placed.requested_date) as due_on,
    coalesce(came.deliveries, 0) as deliveries,
    coalesce(came.on_the_way, 0) as on_the_way,
    coalesce(came.on_time_quantity, 0) as on_time_quantity,
    coalesce(came.as_requested_quantity, 0) as as_requested_quantity
from placed
left join promise using (partner, direction, order_id, line)
left join came using (partner, direction, order_id, line)
