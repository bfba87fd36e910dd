-- What we expected to receive of an order line: each word about it takes back the one before.
-- grain: partner, direction, order_id, line, word_no, is_new
-- reads: int_order_line, int_received, stg_delivery_commitment, stg_order
-- range: lines that we ordered; a word is our order, the partner's promise, or a delivery, after which
--        the rest is expected; the sum of quantity over known_at <= t is what was expected at t
with
word as (
    select
        partner,
        direction,
        order_id,
        line,
        known_at,
        1 as place,
        vintage_no as number,
        '' as name,
        requested_date as day,
        quantity,
        0 as received
    from stg_order
    where partner_role = 'supplier'
    union all
    select
        partner,
        direction,
        order_id,
        line,
        arrived_at as known_at,
        2 as place,
        commitment_no as number,
        shipment_id as name,
        promised_date as day,
        promised_quantity as quantity,
        0 as received
    from stg_delivery_commitment
    where promised_by = 'partner' and isfinite(arrived_at)
    union all
    select
        partner,
        direction,
        order_id,
        line,
        known_at,
        3 as place,
        0 as number,
        delivery_id as name,
        null as day,
        null as quantity,
        quantity as received
    from int_received
),

stood as (
    select
        partner,
        direction,
        order_id,
        line,
        known_at,
        row_number() over so_far as word_no,
        lead(known_at) over (
            partition by partner, direction, order_id, line order by known_at, place, number, name
        ) as replaced_at,
        last_value(day ignore nulls) over so_far as day,
        greatest(
            coalesce(last_value(quantity ignore nulls) over so_far, 0)
            - sum(received) over so_far,
            0
        ) as quantity
    from word
    window so_far as (
        partition by partner, direction, order_id, line
        order by known_at, place, number, name
        rows between unbounded preceding and current row
    )
),

known as (
    select
        stood.*,
        line.item_id
    from stood
    inner join int_order_line as line using (partner, direction, order_id, line)
    where line.partner_role = 'supplier' and stood.day is not null
)

select
    * exclude (replaced_at),
    true as is_new
from known
union all by name
select
    * exclude (replaced_at) replace (-quantity as quantity, replaced_at as known_at),
    false as is_new
from known
where replaced_at is not null
