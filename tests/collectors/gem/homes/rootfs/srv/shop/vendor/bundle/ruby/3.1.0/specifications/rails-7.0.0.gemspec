# -*- encoding: utf-8 -*-
# stub: rails 7.0.0 ruby lib

Gem::Specification.new do |s|
  s.name = "rails".freeze
end
