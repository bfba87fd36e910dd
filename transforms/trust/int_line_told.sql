-- Order lines that were trouble or quite fine, and whether they were complained of.
-- grain: partner, direction, trouble, subject_id
-- reads: int_complaint_line, int_order_line, run, stg_complaint
-- range: counted four weeks after it happened; trouble is to the buyer a line late, short or rejected, to
--        the supplier one that we cancelled or cut after it was placed. Fine is what came as it was asked
--        for, and an order that was left alone: a line that came late as it was promised is neither
with
asked as (select as_of from run),

closed as (
    select
        partner,
        direction,
        'not delivered as promised' as trouble,
        order_id || '/' || line as subject_id,
        item_id,
        (due_on + 1)::timestamptz as happened_at,
        least(
            coalesce(promised_quantity, ordered_quantity),
            -- What was cancelled when it was overdue had been wanted.
            case when cancelled_at is null then wanted_quantity end
        ) > on_time_quantity as is_trouble,
        cancelled_at is null and wanted_quantity <= as_requested_quantity as is_fine
    from int_order_line
    where
        partner_role = 'buyer'
        and ordered_quantity > 0
        and coalesce(cancelled_at > (due_on + 1)::timestamptz, true)
        -- No record of a delivery, or one still on the way, is not known to be trouble.
        and deliveries > 0
        and on_the_way = 0
    union all
    select
        partner,
        direction,
        'order cut' as trouble,
        order_id || '/' || line as subject_id,
        item_id,
        coalesce(cut_at, (requested_date + 1)::timestamptz) as happened_at,
        cut_at is not null as is_trouble,
        cut_at is null as is_fine
    from int_order_line
    where partner_role = 'supplier'
),

known as (
    select
        closed.*,
        closed.happened_at + interval 28 day as counted_at
    from closed
    cross join asked
    where closed.happened_at + interval 28 day <= asked.as_of
),

told as (
    select
        known.partner,
        known.direction,
        known.trouble,
        known.subject_id
    from known
    inner join int_complaint_line as complaint
        on
            known.partner = complaint.partner
            and known.direction = complaint.direction
            and known.subject_id = complaint.subject_id
            and known.counted_at >= complaint.raised_at
    union
    select
        known.partner,
        known.direction,
        known.trouble,
        known.subject_id
    from known
    inner join stg_complaint as complaint
        on
            known.partner = complaint.partner
            and known.direction = complaint.direction
            and known.item_id = complaint.item_id
            and known.counted_at >= complaint.raised_at
            -- A complaint that names no line speaks for its item, if it comes after the event.
            and coalesce(complaint.subject_line, '') = ''
            and known.happened_at <= complaint.raised_at
)

select
    known.partner,
    known.direction,
    known.trouble,
    known.subject_id,
    known.counted_at,
    known.is_trouble,
    told.subject_id is not null as is_told
from known
left join told using (partner, direction, trouble, subject_id)
where known.is_trouble or known.is_fine
