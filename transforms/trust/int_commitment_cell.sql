-- Order lines as cells of a promise: what was promised in time, what came, and what was asked for.
-- grain: partner, direction, kind, column_name, series_id, period_start, cell_id
-- reads: int_commitment_due, run, stg_delivery, stg_delivery_commitment
-- range: as int_commitment_due; y is what is known when the line is closed, or when all has come, as
--        it was first known; dates count in days after the requested date
with
asked as (select as_of from run),

due as (
    select * from int_commitment_due
    where measure = 'numeric'
),

told as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.order_id,
        due.line,
        arg_max(
            case due.column_name
                when 'promised_date'
                    then date_diff('day', due.requested_date, commitment.promised_date)
                else commitment.promised_quantity
            end::double,
            (commitment.arrived_at, commitment.commitment_no)
        ) filter (where commitment.arrived_at <= due.cut_off_at) as f,
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
        case due.column_name
            when 'promised_date'
                then max(date_diff('day', due.requested_date, delivery.first_arrived_on))
            else sum(delivery.first_quantity)
        end::double as y,
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
        told.f,
        told.first_arrived_at,
        came.y,
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
        when known.f is not null then 'arrived'
        when known.first_arrived_at > known.cut_off_at then 'late'
        else 'missing'
    end as status,
    known.f,
    case
        when known.y_known_at > asked.as_of then null
        when known.column_name = 'promised_date' then known.y
        else coalesce(known.y, 0)
    end as y,
    null::double as last_known,
    case known.column_name
        when 'promised_date' then date_diff('day', known.placed_at::date, known.requested_date)
        else known.ordered_quantity
    end::double as known_already,
    0 as season
from known
cross join asked
