-- Order lines as cells of a promise's reason: whether one was given in time, and if the line was late.
-- grain: partner, direction, kind, column_name, series_id, period_start, cell_id
-- reads: int_commitment_due, run, stg_delivery, stg_delivery_commitment
-- range: as int_commitment_due; f_class is none where a promise came in time and gave no reason;
--        y_class is late or in time by what is known when the line is closed, or when all has come
with
asked as (select as_of from run),

due as (
    select * from int_commitment_due
    where measure = 'class'
),

told as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.order_id,
        due.line,
        arg_max(
            case when trim(coalesce(commitment.reason, '')) = '' then 'none' else 'given' end,
            (commitment.arrived_at, commitment.commitment_no)
        ) filter (where commitment.arrived_at <= due.cut_off_at) as f_class,
        arg_max(
            case
                when commitment.promised_date > due.requested_date then 'late'
                when commitment.promised_date is not null then 'in time'
            end,
            (commitment.arrived_at, commitment.commitment_no)
        ) filter (where commitment.arrived_at <= due.cut_off_at) as own_class,
        min(commitment.arrived_at) as first_arrived_at
    from due
    inner join stg_delivery_commitment as commitment
        on
            due.partner = commitment.partner
            and due.direction = commitment.direction
            and due.order_id = commitment.order_id
            and due.line = commitment.line
            and commitment.promised_by = 'partner'
    group by due.partner, due.direction, due.column_name, due.order_id, due.line
),

came as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.order_id,
        due.line,
        max(delivery.first_arrived_on) as arrived_on,
        sum(delivery.first_quantity) as quantity,
        max(delivery.known_at) as known_at
    from due
    inner join stg_delivery as delivery
        on
            due.partner = delivery.partner
            and due.direction = delivery.direction
            and due.order_id = delivery.order_id
            and due.line = delivery.line
            and due.closed_at >= delivery.known_at
    group by due.partner, due.direction, due.column_name, due.order_id, due.line
),

known as (
    select
        due.*,
        told.f_class,
        told.own_class,
        told.first_arrived_at,
        coalesce(came.arrived_on > due.requested_date, true) as is_late,
        case
            when came.quantity >= due.ordered_quantity then greatest(came.known_at, due.cut_off_at)
            else due.closed_at
        end as y_known_at
    from due
    left join told using (partner, direction, column_name, order_id, line)
    left join came using (partner, direction, column_name, order_id, line)
)

select
    known.partner,
    known.direction,
    'delivery_commitment' as kind,
    known.column_name,
    known.item_id as series_id,
    known.cut_off_at as period_start,
    known.order_id || '/' || known.line as cell_id,
    known.agreement_id,
    known.cut_off_at,
    known.y_known_at,
    case
        when known.f_class is not null then 'arrived'
        when known.first_arrived_at > known.cut_off_at then 'late'
        else 'missing'
    end as status,
    known.f_class,
    case
        when known.y_known_at > asked.as_of then null
        when known.is_late then 'late'
        else 'in time'
    end as y_class,
    -- What the promised day says of itself is no news in a reason.
    known.own_class,
    2 as classes
from known
cross join asked
