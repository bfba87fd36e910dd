-- Cells of financial ratios: what was told in time, and how punctually we were supplied after it.
-- grain: partner, direction, kind, column_name, series_id, period_start
-- reads: int_financial_due, int_line_on_time, run, stg_financial_health
-- range: as int_financial_due; one series a partner; y is the share of order lines that came on time of
--        those that fell due in the period that judges, as known two weeks after it, and null where
--        none did; last_known is that of the last whole period before the cut-off, as known then
with
asked as (select as_of from run),

due as (
    select
        *,
        judged_from + ('1 ' || period)::interval as judged_to,
        judged_from + ('1 ' || period)::interval + interval 14 day as settled_at,
        date_trunc(period, cut_off_at) as last_to
    from int_financial_due
),

told as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.period,
        due.period_no,
        arg_max(health.value, (health.period_end, health.arrived_at, health.shipment_id)) filter (
            where health.arrived_at <= due.cut_off_at
        ) as f,
        min(health.arrived_at) filter (where health.value is not null) as first_arrived_at
    from due
    inner join stg_financial_health as health
        on
            due.partner = health.partner
            and due.direction = health.direction
            and due.agreement_id = health.agreement_id
            and due.column_name = health.column_name
            and due.period_start <= health.period_end::timestamptz
            and due.period_end > health.period_end::timestamptz
    group by due.partner, due.direction, due.column_name, due.period, due.period_no
),

judged as (
    select
        due.partner,
        due.direction,
        due.column_name,
        due.period,
        due.period_no,
        avg((coalesce(line.on_time_at <= due.settled_at, false))::integer) filter (
            where line.due_on::timestamptz >= due.judged_from
        ) as on_time,
        avg((coalesce(line.on_time_at <= due.cut_off_at, false))::integer) filter (
            where
            line.due_on::timestamptz < due.last_to
            and line.due_on::timestamptz >= due.last_to - ('1 ' || due.period)::interval
        ) as on_time_before
    from due
    inner join int_line_on_time as line
        on
            due.partner = line.partner
            and due.direction = line.direction
            and due.judged_to > line.due_on::timestamptz
            and due.last_to - ('1 ' || due.period)::interval <= line.due_on::timestamptz
    group by due.partner, due.direction, due.column_name, due.period, due.period_no
)

select
    due.partner,
    due.direction,
    'financial_health' as kind,
    due.column_name,
    'health' as series_id,
    due.period_start,
    due.agreement_id,
    due.cut_off_at,
    due.settled_at as y_known_at,
    case
        when told.f is not null then 'arrived'
        when told.first_arrived_at > due.cut_off_at then 'late'
        else 'missing'
    end as status,
    told.f,
    case when due.settled_at <= asked.as_of then judged.on_time end as y,
    judged.on_time_before as last_known,
    null::double as known_already,
    case due.period when 'quarter' then 4 else 12 end as season
from due
cross join asked
left join told using (partner, direction, column_name, period, period_no)
left join judged using (partner, direction, column_name, period, period_no)
