-- Service cells: what a service was said to cost or take in time, and what we were invoiced.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_service_due, run, stg_service_cost
-- range: as int_service_due; y is what is known when the period is settled, by our own record where
--        there is one, else by the partner's later word, and nothing where nobody states any;
--        known_already is the cost that we knew at the cut-off, or had planned ourselves
with
asked as (select as_of from run),

due as (select * from int_service_due),

cost as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.item_id,
        due.service,
        due.period,
        due.period_no,
        cost.* exclude (partner, direction, item_id, service, period_start),
        case due.period
            when 'day' then date_diff('day', cost.period_start, due.period_start::date)
            when 'week' then date_diff('week', cost.period_start, due.period_start::date)
            else date_diff('month', cost.period_start, due.period_start::date)
        end as age
    from due
    inner join stg_service_cost as cost
        on
            due.partner = cost.partner
            and due.direction = cost.direction
            and due.item_id = cost.item_id
            and due.service = cost.service
            and due.period_start >= cost.period_start::timestamptz
            and due.period_start - 13 * ('1 ' || due.period)::interval
            <= cost.period_start::timestamptz
),

known as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.item_id,
        due.service,
        due.period,
        due.period_no,
        arg_max(
            case due.column_name when 'hours' then cost.hours else cost.planned_cost end,
            (cost.arrived_at, cost.shipment_id)
        ) filter (
            where
            cost.age = 0
            and cost.arrived_at <= due.cut_off_at
            and cost.agreement_id = due.agreement_id
            and not cost.is_own
        ) as f,
        min(cost.known_at) filter (
            where
            cost.age = 0
            and not cost.is_own
            and case due.column_name when 'hours' then cost.hours else cost.planned_cost end
            is not null
        ) as first_told_at,
        arg_max(cost.actual_cost, (cost.is_own, cost.known_at)) filter (
            where cost.age = 0 and cost.known_at <= due.settled_at
        ) as invoiced,
        arg_max(cost.actual_cost, (cost.is_own, cost.known_at)) filter (
            where cost.age = 0 and cost.known_at <= due.cut_off_at
        ) as invoiced_before,
        arg_max(cost.planned_cost, cost.known_at) filter (
            where cost.age = 0 and cost.known_at <= due.cut_off_at and cost.is_own
        ) as own_plan,
        arg_max(cost.actual_cost, (-cost.age, cost.is_own, cost.known_at)) filter (
            where cost.age > 0 and cost.known_at <= due.cut_off_at
        ) as last_known
    from due
    inner join cost
        using (partner, direction, column_name, item_id, service, period, period_no)
    group by
        due.partner, due.direction, due.column_name, due.item_id, due.service, due.period,
        due.period_no
)

select
    due.partner,
    due.direction,
    'service_cost' as kind,
    due.column_name,
    due.item_id || '/' || due.service as series_id,
    due.period_start,
    due.agreement_id,
    due.cut_off_at,
    due.settled_at as y_known_at,
    case
        when known.f is not null then 'arrived'
        when known.first_told_at is not null then 'late'
        else 'missing'
    end as status,
    known.f,
    case when due.settled_at <= asked.as_of then coalesce(known.invoiced, 0) end as y,
    known.last_known,
    coalesce(known.invoiced_before, known.own_plan, 0) as known_already,
    case due.period when 'day' then 7 when 'week' then 52 else 12 end as season
from due
cross join asked
left join known using (partner, direction, column_name, item_id, service, period, period_no)
