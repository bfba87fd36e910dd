-- The columns that are measured: by which outcome, as numbers or as classes.
-- grain: kind, column_name
-- reads: nothing
-- range: position is the column's in its contract, from 1; who contracts for another witness, or for
--        none, is not measured by this one
select
    list.kind,
    list.column_name,
    list.witness,
    list.measure,
    list.position
from (
    values
    ('demand_forecast', 'quantity', 'order.quantity', 'numeric', 5),
    ('demand_forecast', 'commitment', 'order.quantity', 'class', 8),
    ('delivery_commitment', 'promised_date', 'delivery.arrived_on', 'numeric', 4),
    ('delivery_commitment', 'promised_quantity', 'delivery.quantity', 'numeric', 5),
    ('delivery_commitment', 'reason', 'delivery.arrived_on', 'class', 8),
    ('production_plan', 'planned_quantity', 'delivery.quantity', 'numeric', 4),
    ('production_plan', 'capacity_quantity', 'delivery.quantity', 'numeric', 5),
    ('inventory', 'quantity', 'delivery.quantity', 'numeric', 6),
    ('inventory', 'days_of_supply', 'delivery.quantity', 'numeric', 7),
    ('service_cost', 'planned_cost', 'service_cost.actual_cost', 'numeric', 4),
    ('service_cost', 'hours', 'service_cost.actual_cost', 'numeric', 6),
    ('financial_health', 'equity_ratio', 'delivery.arrived_on', 'numeric', 3),
    ('financial_health', 'current_ratio', 'delivery.arrived_on', 'numeric', 4),
    ('financial_health', 'quick_ratio', 'delivery.arrived_on', 'numeric', 5),
    ('financial_health', 'ebit_margin', 'delivery.arrived_on', 'numeric', 6),
    ('financial_health', 'working_capital_days', 'delivery.arrived_on', 'numeric', 7),
    ('financial_health', 'payables_days', 'delivery.arrived_on', 'numeric', 8),
    ('financial_health', 'interest_cover', 'delivery.arrived_on', 'numeric', 9),
    ('disruption', 'effect', 'delivery.quantity', 'class', 4)
) as list (kind, column_name, witness, measure, position)
order by list.kind, list.position
