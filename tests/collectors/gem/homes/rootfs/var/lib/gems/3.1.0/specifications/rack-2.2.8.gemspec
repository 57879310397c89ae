# -*- encoding: utf-8 -*-

Gem::Specification.new do |s|
  s.name = "rack".freeze
end
