-- The conditions have the verdict, as kstatus reads them. A status of an older generation does not apply to this one.
hs = {}
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  hs.status = "Progressing"
  hs.message = "the operator has not reconciled this generation yet"
  return hs
end

for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Stalled" and condition.status == "True" then
    hs.status = "Degraded"
    hs.message = condition.message
    return hs
  end
end

for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then
    hs.status = condition.status == "True" and "Healthy" or "Progressing"
    hs.message = condition.message
    return hs
  end
end

hs.status = "Progressing"
hs.message = "the condition Ready is missing"
return hs
