-- Order lines that a complaint is about: it names the line, or the order, or a delivery of it.
-- grain: partner, direction, complaint_id, subject_id
-- reads: int_order_line, stg_complaint, stg_delivery
-- range: as stg_complaint; a complaint that names none of ours has no row
with
line as (
    select
        partner,
        direction,
        order_id,
        line,
        order_id || '/' || line as subject_id,
        translate(order_id, '-:#| ', '/////') as order_key
    from int_order_line
),

complaint as (
    select * from stg_complaint
    where subject_key <> ''
),

named as (
    select
        complaint.partner,
        complaint.direction,
        complaint.complaint_id,
        complaint.raised_at,
        line.subject_id
    from complaint
    inner join line
        on
            complaint.partner = line.partner
            and complaint.direction = line.direction
            and complaint.subject_line = line.subject_id
    union
    select
        complaint.partner,
        complaint.direction,
        complaint.complaint_id,
        complaint.raised_at,
        line.subject_id
    from complaint
    inner join line
        on
            complaint.partner = line.partner
            and complaint.direction = line.direction
            and complaint.subject_key = line.order_key || '/' || line.line
    union
    select
        complaint.partner,
        complaint.direction,
        complaint.complaint_id,
        complaint.raised_at,
        line.subject_id
    from complaint
    inner join line
        on
            complaint.partner = line.partner
            and complaint.direction = line.direction
            and complaint.subject_key = line.order_key
    union
    select
        complaint.partner,
        complaint.direction,
        complaint.complaint_id,
        complaint.raised_at,
        delivery.order_id || '/' || delivery.line as subject_id
    from complaint
    inner join stg_delivery as delivery
        on
            complaint.partner = delivery.partner
            and complaint.direction = delivery.direction
            and complaint.subject_key = translate(delivery.delivery_id, '-:#| ', '/////')
)

select * from named
