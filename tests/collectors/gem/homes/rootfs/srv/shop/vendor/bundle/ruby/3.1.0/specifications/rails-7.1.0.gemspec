# -*- encoding: utf-8 -*-
# stub: rails 7.1.0 ruby lib

Gem::Specification.new do |s|
  s.name = "rails".freeze
end
